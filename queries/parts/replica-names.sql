array[
            'aws' || chr(58) || 'rep' || chr(58) || 'deleting',
            'aws' || chr(58) || 'rep' || chr(58) || 'updatetime',
            'aws' || chr(58) || 'rep' || chr(58) || 'updateregion'
          ]
